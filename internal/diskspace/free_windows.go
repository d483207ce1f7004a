package diskspace

import "golang.org/x/sys/windows"

// Free is how many bytes a user may still write to the disk of a folder.
func Free(folder string) (bytes uint64, ok bool) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, false
	}
	err = windows.GetDiskFreeSpaceEx(path, &bytes, nil, nil)
	return bytes, err == nil
}
