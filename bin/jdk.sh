# shellcheck shell=sh
# Sourced by ./mixtral and ./check: finds a JDK and Maven. Works in any POSIX shell, on Linux and macOS.

MIXTRAL_JDK_MIN=25

# Prints the major version of the JDK in directory $1; fails unless it is a JDK (has javac).
jdk_major() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

# Prints $1 if it is a JDK that is new enough.
jdk_if_suitable() {
  jdk_found=$(jdk_major "$1") || return 1
  [ "${jdk_found:-0}" -ge "$MIXTRAL_JDK_MIN" ] && printf '%s\n' "$1"
}

# Prints the home of the java on PATH, symbolic links followed.
jdk_of_path() {
  jdk_java=$(command -v java) || return 1
  while [ -L "$jdk_java" ]; do
    jdk_link=$(readlink "$jdk_java")
    case $jdk_link in
      /*) jdk_java=$jdk_link ;;
      *) jdk_java=$(dirname "$jdk_java")/$jdk_link ;;
    esac
  done
  (cd "$(dirname "$jdk_java")/.." 2>/dev/null && pwd -P)
}

# Prints the home of a suitable JDK: what the user chose comes first, then the oldest suitable one installed.
jdk_find() {
  [ -n "${JAVA_HOME:-}" ] && jdk_if_suitable "$JAVA_HOME" && return 0
  jdk_candidate=$(jdk_of_path) && jdk_if_suitable "$jdk_candidate" && return 0
  jdk_best='' jdk_best_major=''
  for jdk_candidate in /usr/lib/jvm/* "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/* "$HOME"/.jdks/* \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    jdk_if_suitable "$jdk_candidate" >/dev/null || continue
    jdk_major_found=$(jdk_major "$jdk_candidate")
    if [ -z "$jdk_best" ] || [ "$jdk_major_found" -lt "$jdk_best_major" ]; then
      jdk_best=$jdk_candidate jdk_best_major=$jdk_major_found
    fi
  done
  [ -n "$jdk_best" ] && printf '%s\n' "$jdk_best" && return 0
  [ -x /usr/libexec/java_home ] && jdk_candidate=$(/usr/libexec/java_home -v "$MIXTRAL_JDK_MIN+" 2>/dev/null) &&
    jdk_if_suitable "$jdk_candidate"
}

# Sets and exports JAVA_HOME, or says how to install a JDK and ends the script.
jdk_require() {
  jdk_home=$(jdk_find) || {
    cat >&2 <<MESSAGE
$1: no JDK $MIXTRAL_JDK_MIN or newer found in JAVA_HOME, on PATH, in /usr/lib/jvm, SDKMAN, ~/.jdks or macOS's java_home.
Install one and try again:
  SDKMAN (any Linux, macOS):  sdk install java 25-tem
  Debian, Ubuntu:             apt-get install temurin-25-jdk    (repository: https://adoptium.net/installation/linux)
  Fedora:                     dnf install java-25-openjdk-devel
  macOS with Homebrew:        brew install --cask temurin@25
MESSAGE
    exit 1
  }
  JAVA_HOME=$jdk_home
  export JAVA_HOME
}

# Ends the script with a message unless Maven is installed.
maven_require() {
  command -v mvn >/dev/null 2>&1 || {
    cat >&2 <<MESSAGE
$1: Maven (mvn) is needed to build, and is not on PATH.
Install it and try again:
  SDKMAN (any Linux, macOS):  sdk install maven
  Debian, Ubuntu:             apt-get install maven
  macOS with Homebrew:        brew install maven
MESSAGE
    exit 1
  }
}

# Prints the options for Maven's own JVM: older Mavens draw warnings about their libraries from new JDKs.
maven_opts() {
  printf '%s' "--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED ${MAVEN_OPTS:-}"
}
