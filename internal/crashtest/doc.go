// Package crashtest tests the promises by killing processes: it runs the real
// program as several processes on real servers, ends one of them at a failpoint,
// and checks that every file still gets its results, once.
//
// Deadlines such as the lease of a dead worker, the reclaiming of its set, and the grace
// in which a batch should be sent would take a minute in each case. The table moves them
// into the past instead, right after the kill, when no live process has any. With
// BALER_SOAK set it waits for them.
package crashtest
