// Package signing signs and verifies queue messages with keys that all processes of one
// system share. A signature proves that a process with one of the keys has sent the message
// to its queue. It does not prove that the message is new: what it may still start is decided
// by the ledger. The package keeps no state and knows no queue.
package signing
