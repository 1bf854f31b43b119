/// The names and addresses that never leave this host.
public enum LocalHost {
  /// Returns true if `host`, without brackets, is `localhost` or a loopback address.
  public static func contains(_ host: String) -> Bool {
    host.lowercased() == "localhost" || IPAddress(host)?.isLoopback == true
  }
}
