package bag

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/balerhq/baler/internal/ctxio"
)

var errNotOfTheBag = errors.New("not of the bag")

// holdsOnlyItsBag reports whether a folder is a bag as this package has written it: all that
// its manifests list is there with the same content, and there are no more files and no more
// empty folders.
func holdsOnlyItsBag(ctx context.Context, folder *os.Root) bool {
	known := int64(1) // the tag manifest, which no manifest lists
	is := func(digest, name string) error {
		info, err := folder.Lstat(name)
		if err == nil && !info.Mode().IsRegular() {
			err = errNotOfTheBag
		}
		if err != nil {
			return err
		}
		known++
		return hasDigest(ctx, folder, name, digest)
	}
	tags := map[string]bool{}
	err := eachLine(folder, bagTags, func(digest, name string) error {
		tags[name] = true
		return is(digest, name)
	})
	if err != nil || !tags[bagMark] || !tags[bagInfo] || !tags[bagManifest] {
		return false
	}
	empty, err := emptyFolders(folder)
	if err != nil || eachLine(folder, bagManifest, is) != nil {
		return false
	}
	err = fs.WalkDir(folder.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			known--
		default:
			below, err := fs.ReadDir(folder.FS(), name)
			if err != nil {
				return err
			}
			if len(below) == 0 && name != "data" { // without a file, data is no folder of the sources
				empty--
			}
		}
		if known < 0 || empty < 0 {
			return errNotOfTheBag
		}
		return nil
	})
	return err == nil
}

// emptyFolders is the number of empty folders that a bag says it has.
func emptyFolders(folder *os.Root) (n int64, err error) {
	info, err := folder.ReadFile(bagInfo)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(info)) {
		if value, ok := strings.CutPrefix(line, emptyLabel); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, nil
}

// hasDigest reads a file of a bag, and reports one that has changed.
func hasDigest(ctx context.Context, folder *os.Root, name, want string) error {
	f, err := folder.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	digest := sha256.New()
	if _, err := io.Copy(digest, ctxio.NewReader(ctx, f)); err != nil {
		return err
	}
	if hex.EncodeToString(digest.Sum(nil)) != want {
		return errNotOfTheBag
	}
	return nil
}

// eachLine calls do with each file that a manifest of a bag lists.
func eachLine(folder *os.Root, manifest string, do func(digest, name string) error) error {
	f, err := folder.Open(manifest)
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	decode := strings.NewReplacer("%25", "%", "%0A", "\n", "%0D", "\r")
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return nil
		}
		if err != nil {
			return err
		}
		digest, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if err := do(digest, decode.Replace(name)); err != nil {
			return err
		}
	}
}
