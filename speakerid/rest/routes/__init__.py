"""What answers, a file a subject: `about`, `people`, `recordings`, `jobs`, and `live`, the WebSocket."""
