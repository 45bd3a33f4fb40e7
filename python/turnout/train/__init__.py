"""Training of a bundle: distillation, item response, VAE, export. Needs the extra ``turnout[train]``."""
