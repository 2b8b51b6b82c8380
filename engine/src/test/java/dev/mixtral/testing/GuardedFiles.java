package dev.mixtral.testing;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardOpenOption;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Files of the default file system behind a guard, which sees every change before it happens: for tests that fill a
/// disk, or stop in the middle of a write.
public final class GuardedFiles extends FileSystem {
    private final Guard guard;
    private final FileSystemProvider provider = new Provider();

    private GuardedFiles(Guard guard) {
        this.guard = guard;
    }

    /// A change of a file.
    public enum Change {
        /// A folder is made.
        MAKE_FOLDER,
        /// A file is opened for writing.
        OPEN,
        /// Bytes are written.
        WRITE,
        /// A file is cut.
        TRUNCATE,
        /// What was written is forced to the disk.
        FORCE,
        /// A file is renamed.
        MOVE,
        /// A file is removed, if it is there.
        DELETE
    }

    /// Decides about changes.
    @FunctionalInterface
    public interface Guard {
        /// Lets a change happen.
        ///
        /// @param file as the default file system knows it
        /// @param bytes that are to be written; 0 if the change is another
        /// @return how many of them are written
        /// @throws IOException if nothing happens
        int allow(Change change, Path file, int bytes) throws IOException;
    }

    /// Returns a path to the same file, behind a guard; so are all paths that are made from it.
    public static Path guard(Path path, Guard guard) {
        return new GuardedPath(new GuardedFiles(guard), path);
    }

    private Path wrap(Path path) {
        return new GuardedPath(this, path);
    }

    private static Path unwrap(Path path) {
        return path instanceof GuardedPath guarded ? guarded.plain() : path;
    }

    private static FileSystemProvider plainly() {
        return FileSystems.getDefault().provider();
    }

    @Override
    public FileSystemProvider provider() {
        return provider;
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public String getSeparator() {
        return FileSystems.getDefault().getSeparator();
    }

    @Override
    public Iterable<Path> getRootDirectories() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Iterable<FileStore> getFileStores() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
        return FileSystems.getDefault().supportedFileAttributeViews();
    }

    @Override
    public Path getPath(String first, String... more) {
        return wrap(FileSystems.getDefault().getPath(first, more));
    }

    @Override
    public PathMatcher getPathMatcher(String pattern) {
        throw new UnsupportedOperationException();
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
        throw new UnsupportedOperationException();
    }

    @Override
    public WatchService newWatchService() {
        throw new UnsupportedOperationException();
    }

    /// Passes everything on.
    private final class Provider extends FileSystemProvider {
        @Override
        public String getScheme() {
            return "guarded";
        }

        @Override
        public FileSystem newFileSystem(URI uri, Map<String, ?> env) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileSystem getFileSystem(URI uri) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Path getPath(URI uri) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
                throws IOException {
            Path plain = unwrap(path);
            if (options.contains(StandardOpenOption.WRITE) || options.contains(StandardOpenOption.APPEND)) {
                guard.allow(Change.OPEN, plain, 0);
            }
            return new GuardedChannel(plainly().newFileChannel(plain, options, attributes), plain, guard);
        }

        @Override
        public SeekableByteChannel newByteChannel(
                Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
            return newFileChannel(path, options, attributes);
        }

        @Override
        public DirectoryStream<Path> newDirectoryStream(Path folder, DirectoryStream.Filter<? super Path> filter)
                throws IOException {
            DirectoryStream<Path> files = plainly().newDirectoryStream(unwrap(folder), filter);
            return new DirectoryStream<>() {
                @Override
                public Iterator<Path> iterator() {
                    Iterator<Path> plain = files.iterator();
                    return new Iterator<>() {
                        @Override
                        public boolean hasNext() {
                            return plain.hasNext();
                        }

                        @Override
                        public Path next() {
                            return wrap(plain.next());
                        }
                    };
                }

                @Override
                public void close() throws IOException {
                    files.close();
                }
            };
        }

        @Override
        public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
            guard.allow(Change.MAKE_FOLDER, unwrap(folder), 0);
            plainly().createDirectory(unwrap(folder), attributes);
        }

        @Override
        public void delete(Path path) throws IOException {
            guard.allow(Change.DELETE, unwrap(path), 0);
            plainly().delete(unwrap(path));
        }

        @Override
        public void copy(Path source, Path target, CopyOption... options) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void move(Path source, Path target, CopyOption... options) throws IOException {
            guard.allow(Change.MOVE, unwrap(source), 0);
            plainly().move(unwrap(source), unwrap(target), options);
        }

        @Override
        public boolean isSameFile(Path path, Path other) throws IOException {
            return Files.isSameFile(unwrap(path), unwrap(other));
        }

        @Override
        public boolean isHidden(Path path) throws IOException {
            return plainly().isHidden(unwrap(path));
        }

        @Override
        public FileStore getFileStore(Path path) throws IOException {
            return plainly().getFileStore(unwrap(path));
        }

        @Override
        public void checkAccess(Path path, AccessMode... modes) throws IOException {
            plainly().checkAccess(unwrap(path), modes);
        }

        @Override
        public <V extends FileAttributeView> @Nullable V getFileAttributeView(
                Path path, Class<V> type, LinkOption... options) {
            return plainly().getFileAttributeView(unwrap(path), type, options);
        }

        @Override
        public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
                throws IOException {
            return plainly().readAttributes(unwrap(path), type, options);
        }

        @Override
        public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
                throws IOException {
            return plainly().readAttributes(unwrap(path), attributes, options);
        }

        @Override
        public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
            plainly().setAttribute(unwrap(path), attribute, value, options);
        }
    }

    /// A path behind a guard.
    private record GuardedPath(GuardedFiles files, Path plain) implements Path {
        private Path wrap(Path path) {
            return files.wrap(path);
        }

        private @Nullable Path wrapIfAny(@Nullable Path path) {
            return path == null ? null : wrap(path);
        }

        @Override
        public FileSystem getFileSystem() {
            return files;
        }

        @Override
        public boolean isAbsolute() {
            return plain.isAbsolute();
        }

        @Override
        public @Nullable Path getRoot() {
            return wrapIfAny(plain.getRoot());
        }

        @Override
        public @Nullable Path getFileName() {
            return wrapIfAny(plain.getFileName());
        }

        @Override
        public @Nullable Path getParent() {
            return wrapIfAny(plain.getParent());
        }

        @Override
        public int getNameCount() {
            return plain.getNameCount();
        }

        @Override
        public Path getName(int index) {
            return wrap(plain.getName(index));
        }

        @Override
        public Path subpath(int from, int to) {
            return wrap(plain.subpath(from, to));
        }

        @Override
        public boolean startsWith(Path other) {
            return plain.startsWith(unwrap(other));
        }

        @Override
        public boolean endsWith(Path other) {
            return plain.endsWith(unwrap(other));
        }

        @Override
        public Path normalize() {
            return wrap(plain.normalize());
        }

        @Override
        public Path resolve(Path other) {
            return wrap(plain.resolve(unwrap(other)));
        }

        @Override
        public Path relativize(Path other) {
            return wrap(plain.relativize(unwrap(other)));
        }

        @Override
        public URI toUri() {
            return plain.toUri();
        }

        @Override
        public Path toAbsolutePath() {
            return wrap(plain.toAbsolutePath());
        }

        @Override
        public Path toRealPath(LinkOption... options) throws IOException {
            return wrap(plain.toRealPath(options));
        }

        @Override
        public WatchKey register(WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int compareTo(Path other) {
            return plain.compareTo(unwrap(other));
        }

        @Override
        public String toString() {
            return plain.toString();
        }
    }
}
