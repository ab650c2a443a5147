"""Making replicas agree. In reading order: `protocol` (frames), `presence` (who is here),
`connection` and `room` (one page being edited; pure), `rights` and `seat` (who may, and the
socket's two halves), `rooms` (all of them, and the tick)."""
