// Package watch submits what settles in a folder, and moves it away when its transfer has
// ended.
//
// Every entry, a file or a folder, becomes one transfer for each content that it has had,
// whichever process dies meanwhile: the database has a row of an entry before its transfer is
// made, and the transfer has a key of that row. Any number of processes may watch one folder;
// the leader among them acts, and two that believe they lead do no harm.
//
// A look at the whole folder is what decides; notifications of the system only say when to
// look. So a notification that is lost costs time, and no file.
package watch
