// Package admission decides whether a worker may start a batch now: limits on batches in
// flight and on files a second, which all workers share, and the slots of the host.
package admission
