/// The version of this program: of the User-Agent, of `--version`, and of what its answers are stamped with.
enum Version {
  static let text = "0.1.0"
}
