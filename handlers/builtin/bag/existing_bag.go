package bag

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/balerhq/baler/handlers/builtin/checksum"
	"github.com/balerhq/baler/internal/ctxio"
)

var errNotOfTheBag = errors.New("not of the bag")

// holdsOnlyItsBag reports whether a folder is a bag as this package has written it: all that
// its manifests list is there with the same content, and there are no more files and no more
// empty folders.
func holdsOnlyItsBag(ctx context.Context, folder *os.Root) bool {
	known, algorithms := int64(0), algorithmsOf(folder)
	if len(algorithms) == 0 {
		return false
	}
	is := func(algorithm string) func(digest, name string) error {
		return func(digest, name string) error {
			info, err := folder.Lstat(name)
			if err == nil && !info.Mode().IsRegular() {
				err = errNotOfTheBag
			}
			if err != nil {
				return err
			}
			known++
			return hasDigest(ctx, folder, name, algorithm, digest)
		}
	}
	for _, algorithm := range algorithms {
		tags := map[string]bool{}
		known = int64(len(algorithms)) // the tag manifests, which no manifest lists
		err := eachLine(folder, tagManifestName(algorithm), func(digest, name string) error {
			tags[name] = true
			return is(algorithm)(digest, name)
		})
		if err != nil || !tags[bagMark] || !tags[bagInfo] || !tags[manifestName(algorithm)] {
			return false
		}
	}
	strongest := algorithms[len(algorithms)-1]
	empty, err := emptyFolders(folder)
	if err != nil || eachLine(folder, manifestName(strongest), is(strongest)) != nil {
		return false
	}
	return holdsNoMore(folder, known, empty)
}

// holdsNoMore reports whether a bag has at most so many files and empty folders.
func holdsNoMore(folder *os.Root, known, empty int64) bool {
	err := fs.WalkDir(folder.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
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

// algorithmsOf are those of a bag's tag manifests, the strongest last: they need not be
// those of today's recipe.
func algorithmsOf(folder *os.Root) (algorithms []string) {
	for _, algorithm := range allAlgorithms() {
		if _, err := folder.Lstat(tagManifestName(algorithm)); err == nil {
			algorithms = append(algorithms, algorithm)
		}
	}
	return algorithms
}

// hasDigest reads a file of a bag, and reports one that has changed.
func hasDigest(ctx context.Context, folder *os.Root, name, algorithm, want string) error {
	f, err := folder.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	digest := checksum.NewHash(algorithm)
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
