// Package crashtest tests the promises by killing processes: it runs the real
// program as several processes on real servers, ends one of them at a failpoint,
// and checks that every file still gets its results, once.
//
// Waiting for what only time can end would take a minute a case: the lease of a
// dead worker, the reclaiming of its set, the grace in which a batch should be
// sent. The table moves those deadlines into the past instead, right after the
// kill, when nothing alive holds any. With BALER_SOAK set it waits.
package crashtest
