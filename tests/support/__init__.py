"""What several tests share: synthetic voices, a running app, a real browser."""
