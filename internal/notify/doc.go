// Package notify tells of what happens to transfers: by webhooks, to Slack and Teams, and
// by mail. It reads messages from an outbox in the database, signs webhooks, and repeats
// failed attempts with backoff until the receiver accepts the message or a day has passed. Any
// number of senders, in workers and servers, share one outbox.
//
// Delivery is at least once, under the same event ID. The package does not write
// the outbox: the transaction that ends a transfer, or counts its first failure, does.
package notify
