"""Making replicas agree. In reading order: `protocol` (frames), `presence` (who is here), `limits`
(how much one may ask), `connection` and `room` (one page being edited; pure), `rights` and `seat`
(who may, and the socket's two halves), `ticker` (their tick, with `waking` and `commit`),
`rooms` (who may enter), and what is at work beside it: `sealer` (journal to record), `watch` (open
sockets), `scrub` and `scrubber` (memory against disk)."""
