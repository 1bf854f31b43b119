public import Foundation

/// The credentials that systemd hands over (systemd.exec(5), LoadCredential=).
public enum Credentials {
  /// The directory that holds them; nil where the service has none.
  public static func directory(environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
    guard let path = environment["CREDENTIALS_DIRECTORY"], path.hasPrefix("/") else { return nil }
    return path
  }

  /// The path of the credential of this name, which need not exist; nil where the service has none, and for
  /// names that would lead elsewhere.
  public static func path(
    of name: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else { return nil }
    return directory(environment: environment).map { "\($0)/\(name)" }
  }
}
