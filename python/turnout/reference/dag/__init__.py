"""Twin of the task DAGs of the room plan: the readable spec, slow and plain."""
