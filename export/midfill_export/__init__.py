"""From a model's weights to a Midfill bundle: the only part of Midfill that may use the network."""
