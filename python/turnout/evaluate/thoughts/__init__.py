"""Second thoughts replayed on recorded answers: what cascades driven by `turnout.belief` cost and reach."""
