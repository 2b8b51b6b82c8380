// Runs before the first paint, as a classic script, so that a chosen theme never flashes the other one.
try {
    const theme = localStorage.getItem("mixtral.theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
    // Storage may be forbidden; then the system's preference holds.
}
