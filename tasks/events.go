package tasks

// What webhooks tell of a transfer.
const (
	EventFailing   = "transfer.failing"   // its first failure
	EventStopped   = "transfer.stopped"   // see StopAfter
	EventStalled   = "transfer.stalled"   // nothing moves
	EventApproval  = "transfer.approval"  // a step waits for a person
	EventCompleted = "transfer.completed" // it has ended
	EventCanceled  = "transfer.canceled"  // it has ended
	EventFixity    = "fixity.failed"      // files are damaged or missing
)

// TransferEvents lists all events.
func TransferEvents() []string {
	return []string{EventFailing, EventStopped, EventStalled, EventApproval, EventCompleted, EventCanceled, EventFixity}
}
