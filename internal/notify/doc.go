// Package notify sends the webhooks of transfers that have ended. It reads
// messages from an outbox in the database, signs them, and repeats failed
// attempts with backoff until the receiver accepts the message or a day has
// passed. Any number of senders, in workers and servers, share one outbox.
//
// Delivery is at least once, under the same event ID. The package does not write
// the outbox: the transaction that ends a transfer does.
package notify
