// @y/websocket-server as its own bin starts it; with YPERSISTENCE set, it keeps pages in LevelDB.
import http from 'node:http'
import WebSocket from 'ws'
import { setupWSConnection } from '@y/websocket-server/utils'

const sockets = new WebSocket.Server({ noServer: true })
sockets.on('connection', setupWSConnection)

const server = http.createServer()
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request))
})
server.listen(0, '127.0.0.1', 2048, () => {
  console.log(`listening at 127.0.0.1:${server.address().port}`)
})
