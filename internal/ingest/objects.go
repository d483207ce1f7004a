package ingest

import (
	"os"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// Objects is object storage, as internal/storage has it.
type Objects interface {
	scan.ObjectLister
	handlers.ObjectStore

	// Add notes the parameters of an address, and returns the path without them.
	Add(address string) (path string, err error)
}

// addAddress returns the path of an address in object storage.
func (g *Ingester) addAddress(address string) (string, error) {
	if g.objects == nil {
		return "", scan.ErrNoObjects
	}
	return g.objects.Add(address)
}

// openToSplit opens what the scan has found.
func (g *Ingester) openToSplit(path string) (scan.Content, error) {
	if !tasks.IsObject(path) {
		return os.Open(path)
	}
	if g.objects == nil {
		return nil, scan.ErrNoObjects
	}
	return g.objects.Open(path)
}
