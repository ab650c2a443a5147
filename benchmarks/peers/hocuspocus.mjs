// Hocuspocus as its guide sets it up, with its SQLite extension: node hocuspocus.mjs FOLDER
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SQLite } from '@hocuspocus/extension-sqlite'
import { Server } from '@hocuspocus/server'

const folder = process.argv[2]
mkdirSync(folder, { recursive: true })

const server = new Server({
  address: '127.0.0.1',
  port: 0,
  quiet: true,
  extensions: [new SQLite({ database: join(folder, 'hocuspocus.sqlite') })],
})
await server.listen()
console.log(`listening at 127.0.0.1:${server.address.port}`)
