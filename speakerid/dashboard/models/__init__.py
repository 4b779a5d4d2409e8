"""The Models page: which network names people, where it is from, and another one."""
