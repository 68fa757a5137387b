"""From any file a person has to the tensor that a network is given."""
