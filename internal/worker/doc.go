// Package worker is the life of one worker process: it takes batches from the
// queue and final steps from the database, writes heartbeats, applies what
// people want of the worker, and stops in order. A dispatcher and a sender of
// webhooks run beside it.
package worker
