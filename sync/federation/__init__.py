"""How sites exchange what they share. In reading order:

signatures  every request is signed by its site (RFC 9421), once
fetch       the only way out: addresses checked and pinned, sizes and times capped
wire        records, names and heads as JSON
callers     who signed a request that came in
acquaintances   what other sites call their people, and what they remember of ours
door        what another site may ask and bring; the endpoints of `web.federation` stand before it
presence    who of ours has a page open, and who of theirs
live        what goes ahead of records: frames, and who is where
courier     what each peer is owed, with its position; back-off, catch-up
porter      the files of shared pages, fetched from each peer
gaps        peers are asked for what a page lacks on which something waits
homecoming  records of ours that others hold, after a fire or a restore
federation  a site's connections: introduce, confirm, leave; runs a courier for each peer
"""
