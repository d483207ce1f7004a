package coprocess

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/balerhq/baler/sdk"
)

// sdkFolder is a folder with the libraries for scripts, the same for every process of the
// user with this version, so that nothing is left behind.
//
//nolint:gochecknoglobals // once a process, as the files are embedded
var sdkFolder = sync.OnceValues(func() (string, error) {
	sum := sha256.Sum256(append(bytes.Clone(sdk.Python), sdk.Node...))
	name := "sdk-" + hex.EncodeToString(sum[:8])
	var dir string
	cache, err := os.UserCacheDir()
	if err == nil {
		dir = filepath.Join(cache, "baler", name)
		err = writeSDK(dir)
	}
	if err != nil { // as for a user without a home
		var tempErr error
		if dir, tempErr = os.MkdirTemp("", "baler-"+name+"-*"); tempErr == nil {
			tempErr = writeSDK(dir)
		}
		if tempErr != nil {
			return "", fmt.Errorf("write the libraries for scripts: %w", errors.Join(err, tempErr))
		}
	}
	return dir, nil
})

func writeSDK(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	return errors.Join(writeOnce(filepath.Join(dir, "baler.py"), sdk.Python), writeOnce(filepath.Join(dir, "baler.mjs"), sdk.Node))
}

// writeOnce writes a file unless it is there as it should be. Other processes may do the same.
func writeOnce(path string, content []byte) error {
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, content) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
