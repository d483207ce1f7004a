// Package simulation runs the dispatcher, as it is, on a fleet of workers that does not exist:
// a ledger and a queue in memory, and a clock that jumps to the next event. So it shows what
// the decisions of the dispatcher cost and cause with more workers than one machine can run.
//
// Each call of the ledger or the queue takes a round trip of simulated time, however much it
// reads or writes: what a database can bear is not part of the simulation. Workers report
// what batches have cost at once, where real ones do so with their heartbeats.
package simulation
