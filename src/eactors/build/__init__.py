"""From an application's source to the folders of its enclaves; run before the launch."""
