import Configuration
import Foundation

/// The daemon's unit of systemd.
struct ServiceUnit: Sendable {
  /// The answer to the question for the unit's properties.
  enum Reading: Sendable {
    case noSystemd
    /// systemd doesn't answer, in its words.
    case silent(String)
    /// The properties; `isLoaded` is false in those of a unit that isn't there.
    case properties(UnitProperties)
  }

  /// The unit's name.
  let name: String

  init(instance: Instance = .plain) { name = instance.unit + ".service" }

  /// Asks systemd for the properties that the rules are about, and reads the files that they come from.
  func read() -> Reading {
    // As sd_booted(3) tells it.
    guard FileManager.default.fileExists(atPath: "/run/systemd/system") else { return .noSystemd }
    let names = UnitCheck.propertyNames.joined(separator: ",")
    do {
      let shown = try ProgramOutput.of("systemctl", "show", name, "--no-pager", "-p", names)
      let values = UnitProperties.values(shown: shown)
      guard values["LoadState"] != nil else { return .silent(String(shown.prefix { $0 != "\n" })) }
      let paths =
        [values["FragmentPath"] ?? ""] + (values["DropInPaths"] ?? "").split(separator: " ").map(String.init)
      let files = paths.map { path in
        UnitFile(path: path, text: (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
      }
      return .properties(UnitProperties(unit: name, values: values, files: files))
    } catch {
      return .silent("\(error)")
    }
  }
}
