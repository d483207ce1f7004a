// Handlers for Baler in Node.js 18 and later. One file, no dependencies.
//
//   // lines.mjs
//   import { readFileSync } from 'node:fs'
//   export async function call(jobs) {
//     for (const job of jobs) {
//       job.setFact('lines', readFileSync(job.pathBytes).filter((b) => b === 10).length)
//     }
//   }
//
// A recipe names it: handler: coprocess, with: {script: lines.mjs}. The protocol is in
// docs/coprocess.md. console.log goes to standard error: standard output is the protocol's.
import { createInterface } from 'node:readline'
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Console } from 'node:console'
import path from 'node:path'

const PROTOCOL = 1
const MAX_OUTPUT = 1 << 20 // characters of each stream that are sent for a job; Baler keeps less

export class Job {
  #batch
  #id
  #emits
  #progressSent = -Infinity
  answered = false

  constructor(batch, message) {
    this.#batch = batch
    this.#id = message.id
    this.path = message.path
    // The path's bytes, which need not be UTF-8: open the file by them.
    this.pathBytes = message.path_base64 ? Buffer.from(message.path_base64, 'base64') : Buffer.from(message.path)
    this.size = message.size ?? 0
    this.attempt = message.attempt ?? 1
    this.folder = message.folder // its own, for what it emits; undefined if the step has no emit
    this.args = message.args ?? [message.path]
    this.facts = message.facts ?? {}
    this.reset()
  }

  reset() {
    this.exitCode = 0
    this.outcome = undefined
    this.code = ''
    this.newFacts = {}
    this.emitted = []
    this.#emits = [] // messages, sent with the verdict
    this.output = ''
    this.error = ''
  }

  // Without an outcome, 0 means succeeded and anything else failed, which is final.
  setStatus(exitCode, outcome, code = '') {
    this.exitCode = exitCode
    this.outcome = outcome ?? (exitCode ? 'failed' : 'succeeded')
    this.code = code
  }

  setFact(name, value) { this.newFacts[name] = value }

  // Make a file in the folder of the job, named by text (relative to it, or absolute) or a Buffer, a
  // further file of the transfer. name tells it from others that come from the same file.
  emit(file, { name } = {}) {
    const bytes = Buffer.isBuffer(file) ? file : Buffer.from(path.resolve(this.folder ?? '', file))
    const message = { type: 'emit', batch: this.#batch, job: this.#id, path_base64: bytes.toString('base64') }
    if (name !== undefined) message.name_base64 = Buffer.from(name).toString('base64')
    this.emitted.push(file)
    this.#emits.push(message)
  }

  writeOutput(text) { this.output = (this.output + text).slice(0, MAX_OUTPUT) }
  writeError(text) { this.error = (this.error + text).slice(0, MAX_OUTPUT) }

  // Say how far the work on this file is, for people who watch the transfer: items are what unit
  // says, such as 'pages'. It may be called often: Baler is told at most once a second.
  setProgress({ items = 0, ofItems = 0, unit = '', bytes = 0, ofBytes = 0 }) {
    const now = performance.now()
    if (now - this.#progressSent < 1000) return
    this.#progressSent = now
    send({ type: 'progress', batch: this.#batch, job: this.#id, items, of_items: ofItems, unit, bytes, of_bytes: ofBytes })
  }

  // Say that this job is at work, so that Baler knows the one on which the process dies.
  begin() { send({ type: 'started', batch: this.#batch, job: this.#id }) }

  // Send the verdict now; later changes have no effect.
  done() {
    if (this.answered) return
    this.answered = true
    this.#emits.forEach(send)
    send({
      type: 'result', batch: this.#batch, job: this.#id, exit_code: this.exitCode, outcome: this.outcome ?? 'succeeded',
      code: this.code, facts: this.newFacts, output: this.output, error: this.error,
    })
  }
}

// Jobs is the list of a batch. Going through it tells Baler which job is at work.
class Jobs extends Array {
  static get [Symbol.species]() { return Array }
  *[Symbol.iterator]() {
    for (let i = 0; i < this.length; i++) {
      this[i].begin()
      yield this[i]
    }
  }
}

function send(message) {
  let rest = Buffer.from(JSON.stringify(message) + '\n')
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (e) {
      if (e.code !== 'EAGAIN') throw e
    }
  }
}

// When an exception comes out, each job is called by itself, so that the one with the fault is alone.
async function runBatch(call, message) {
  const jobs = message.jobs.map((m) => new Job(message.batch, m))
  const groups = [jobs]
  while (groups.length > 0) {
    const group = groups.shift().filter((job) => !job.answered)
    if (group.length === 0) continue
    const given = new Jobs()
    given.push(...group)
    try {
      await call(given)
    } catch (e) {
      if (group.length > 1) {
        group.filter((job) => !job.answered).forEach((job) => job.reset())
        groups.unshift(...group.map((job) => [job]))
        continue
      }
      group[0].writeError(`${e?.stack ?? e}\n`)
      group[0].setStatus(1, 'error', 'exception')
    }
    for (let i = 0; i < group.length; i++) group[i].done()
  }
}

export async function run(script) {
  globalThis.console = new Console(process.stderr)
  process.stdout.write = (...args) => process.stderr.write(...args)
  const { call } = await import(pathToFileURL(path.resolve(script)))
  if (typeof call !== 'function') throw new Error(`${script} exports no function call(jobs)`)
  send({ type: 'ready', protocol: PROTOCOL })
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const message = JSON.parse(line)
    if (message.type === 'batch') {
      await runBatch(call, message)
      send({ type: 'done', batch: message.batch })
    } else if (message.type === 'ping') {
      send({ type: 'pong', ping: message.ping })
    } // other messages are of later versions
  }
}

if (process.argv[2] === 'run' && process.argv[3]) await run(process.argv[3])
