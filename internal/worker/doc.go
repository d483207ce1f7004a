// Package worker runs a worker process. A Worker takes batches from the queue and final
// steps from the database, writes heartbeats, applies the desired state that people set,
// and stops in order. It also runs a dispatcher and a sender of webhooks.
package worker
