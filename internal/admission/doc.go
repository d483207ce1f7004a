// Package admission decides whether a worker may start a batch now: limits on
// batches in flight and on files a second, which workers share among each other, an
// adaptive limit, and the slots of the host.
package admission
