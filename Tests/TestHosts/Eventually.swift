import Foundation

/// Waits until a condition holds, asking every few milliseconds, or as seldom as `interval` says; false when it still
/// doesn't at the end of the time.
///
/// For what happens elsewhere (a process, a server): `#expect(await eventually(within: .seconds(5)) { ... })`.
public func eventually(
  within limit: Duration = .seconds(10), every interval: Duration = .milliseconds(10),
  _ condition: () async throws -> Bool
) async rethrows -> Bool {
  let deadline = ContinuousClock.now + limit
  while true {
    if try await condition() { return true }
    if ContinuousClock.now >= deadline { return false }
    try? await Task.sleep(for: interval)
    if Task.isCancelled { return false }
  }
}

/// The path of an executable that this package built, such as `builtProduct("conversiond")`: it stands beside the
/// executable that runs the tests.
public func builtProduct(_ name: String) throws -> String {
  let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  var folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
  for _ in 0..<4 {
    let path = folder.appendingPathComponent(name).path
    if FileManager.default.isExecutableFile(atPath: path) { return path }
    folder.deleteLastPathComponent()
  }
  throw TestHostError("no \(name) beside \(executable): run swift build first")
}
