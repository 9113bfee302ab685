package stages

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"penstock/engine"
	"penstock/internal/userfile"
)

// takesLink says whether a symbolic link that was found in a directory is read
// as the file that it leads to. What may hold data and cannot be read is an
// error: less data without a word would be wrong.
func (f Files) takesLink(log *slog.Logger, path string) (bool, error) {
	isMatch := f.Match == nil || f.Match(path)
	place, err := userfile.Resolve(path)
	isDir := err == nil && place.Info != nil && place.Info.IsDir()
	switch {
	case isDir && !isMatch: // Match may have meant files only
		log.Warn("a symbolic link to a directory is left out, since Match does not take it; to read that directory, name it", "link", path, "directory", place.Path)
		return false, nil
	case !isMatch:
		return false, nil
	case errors.Is(err, userfile.ErrForeign):
		return false, engine.Fatal(fmt.Errorf("read %s: %w, or leave it out with Files.Match", path, err))
	case err != nil:
		return false, engine.Fatal(fmt.Errorf("read %s: %w", path, err))
	case place.Info == nil:
		return false, engine.Fatal(fmt.Errorf("read %s: it is a symbolic link that leads to nothing (%s): restore that file, or remove the link: %w", path, place.Path, fs.ErrNotExist))
	case isDir:
		return false, engine.Fatal(fmt.Errorf("read %s: it is a symbolic link to a directory (%s), which is not followed: name that directory as well, and remove the link or leave it out with Files.Match", path, place.Path))
	case !place.Info.Mode().IsRegular():
		return false, notRegular(path)
	}
	return true, nil
}
