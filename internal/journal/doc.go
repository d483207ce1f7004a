// Package journal keeps transfers that have ended in files beside the database, so that what
// a database loses, as when it is restored from an old backup, can be imported again. A
// transfer is written after its end is committed: the journal never has a result that the
// database did not have. It counts as written when its lines are on the disk; until then some
// process tries again. A transfer may be in several files, and is then the same in all of them,
// or was changed in between. The package does not read files; baler.ImportFiles does.
package journal
