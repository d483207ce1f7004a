// One BullMQ job and one INSERT a file: `node bullmq.mjs worker`, `node bullmq.mjs FOLDER`.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Queue, Worker } from 'bullmq'
import Redis from 'ioredis'
import mysql from 'mysql2/promise'

const url = new URL(process.env.CMP_REDIS)
const connection = new Redis({ host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null })
const what = process.argv[2]

if (what === 'worker') {
  const pool = mysql.createPool({ socketPath: process.env.CMP_MYSQL_SOCKET, user: 'root', database: 'cmp', connectionLimit: 8 })
  new Worker('cmp', async (job) => {
    const { size } = await stat(job.data.path)
    await pool.execute("INSERT INTO results (path, outcome, size) VALUES (?, 'succeeded', ?)", [job.data.path, size])
  }, { connection, concurrency: 8, removeOnComplete: { count: 0 } })
} else {
  const queue = new Queue('cmp', { connection })
  const names = await readdir(what)
  for (let i = 0; i < names.length; i += 1000) {
    await queue.addBulk(names.slice(i, i + 1000).map((n) => ({ name: 'record', data: { path: join(what, n) } })))
  }
  await queue.close()
  connection.disconnect()
}
