"""How a subject is opened: pickles, archives, weights, datasets, endpoints, environments."""
