// Command draw redraws the picture of docs/architecture.md from the imports.
// Run it in the root of the module: go run ./internal/architecture/cmd/draw
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/balerhq/baler/internal/architecture"
)

func main() {
	if err := draw(context.Background(), "docs/architecture.md"); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func draw(ctx context.Context, path string) error {
	g, err := architecture.Load(ctx, ".")
	if err != nil {
		return err
	}
	page, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	redrawn, err := architecture.Redraw(string(page), g.Reduced().Mermaid())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(redrawn), 0o644); err != nil { //nolint:gosec // a page of the documentation
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
