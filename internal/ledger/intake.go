package ledger

import "time"

// ProducerTTL is after how long without a sign the producer of an open transfer counts as
// dead.
const ProducerTTL = 30 * time.Second

// Intake says who registers the files of a transfer.
type Intake string

// The intakes.
const (
	IntakeProducer Intake = ""         // the process that has submitted it
	IntakeServer   Intake = "server"   // any server: the transfer was submitted over HTTP, with paths
	IntakeRequests Intake = "requests" // the requests of a client over HTTP, however long there is none
)
