"""What has to be provable afterwards: entries of the audit journal and the chain that holds them together."""
