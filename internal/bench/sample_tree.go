package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// sampleFiles and sampleSize are the files with content that Embedded makes.
const (
	sampleFiles = 5000
	sampleSize  = 20 << 10
)

// growSamples makes files with random content, always the same. Every second one looks like text.
func growSamples(ctx context.Context, root string) error {
	t := tree{root, sampleFiles}
	random := rand.NewChaCha8([32]byte{1})
	content := make([]byte, sampleSize)
	for i := range sampleFiles {
		if i%folderSize == 0 {
			if err := os.MkdirAll(filepath.Dir(t.path(i)), 0o700); err != nil {
				return fmt.Errorf("make files: %w", err)
			}
		}
		_, _ = random.Read(content) // never fails
		if i%2 == 0 {
			for j := range content {
				content[j] = ' ' + content[j]%64
			}
		}
		if err := os.WriteFile(t.path(i), content, 0o600); err != nil {
			return fmt.Errorf("make files: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
