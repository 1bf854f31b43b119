import Conversions

extension Configuration.Orders {
  /// The names and addresses of the database's hosts, as far as the connection string names them; none for a socket.
  public var databaseHosts: [String] {
    guard let settings = try? ConnectionString(connection) else { return [] }
    let hosts = (settings["hostaddr"] ?? settings["host"] ?? "").split(separator: ",").map(String.init)
    return hosts.filter { !$0.hasPrefix("/") && !$0.hasPrefix("@") }
  }
}
