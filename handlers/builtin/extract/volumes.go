package extract

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
)

// volumeName matches names of volumes: a.7z.001, a.zip.002, a.z01.
var volumeName = regexp.MustCompile(`(?i)\.(?:(?:7z|zip|rar)\.\d{3}|z\d\d)$`)

// isVolume reports whether a file has the name of a volume, and is no whole archive.
func isVolume(in *input, head []byte) bool {
	if !volumeName.MatchString(in.path) {
		return false
	}
	if sevenZipEnd(head) > 0 {
		return sevenZipEnd(head) > in.size
	}
	_, err := zip.NewReader(in, in.size)
	return err != nil && !errors.Is(err, zip.ErrInsecurePath)
}

// sevenZipEnd is how long a 7z archive says that it is (7zFormat.txt, SignatureHeader); 0 when
// the file is none.
func sevenZipEnd(head []byte) int64 {
	const offsetAt, sizeAt, length = 12, 20, 32
	if len(head) < length || string(head[:len(sevenZipSignature)]) != sevenZipSignature {
		return 0
	}
	end := length + binary.LittleEndian.Uint64(head[offsetAt:]) + binary.LittleEndian.Uint64(head[sizeAt:])
	return int64(min(end, 1<<62))
}

// errInVolumes ends the extraction, because what follows is in another file.
var errInVolumes = fmt.Errorf("%w: a volume", errUnsupported)

// errVolume says what to do with a part of an archive.
func errVolume(kind, join string) error {
	return fmt.Errorf("%w of %s in several files; join them, as with %s", errInVolumes, kind, join)
}
