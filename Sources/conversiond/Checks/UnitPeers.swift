import Configuration
import Conversions
import Foundation

extension UnitCircumstances {
  /// Looks at the host for all that the unit's rules ask about. Addresses are looked up only where the unit denies any.
  ///
  /// - Parameters:
  ///   - unit: The unit.
  ///   - configuration: Its daemon's configuration.
  ///   - isOffline: True if no name server may be asked.
  init(_ unit: UnitProperties, _ configuration: Configuration, isOffline: Bool) {
    let folder = (configuration.ledgerPath as NSString).deletingLastPathComponent
    self.init(ledgerFolder: (folder as NSString).resolvingSymlinksInPath)
    let user = unit["User"] ?? ""
    userExists = user.isEmpty || unit["DynamicUser"] == "yes" || DaemonUser(named: user) != nil
    let files = unit.credentials.values.filter { !$0.isEmpty }
    missingFiles = Set(files.filter(Self.isMissing))
    guard unit["IPAddressDeny"]?.isEmpty == false else { return }
    let hosts =
      [("the API's host", configuration.api.baseURL.host)]
      + configuration.orders.databaseHosts.map { ("the database's host", $0) }
    peers = hosts.map { role, host in
      Peer(name: "\(role), \(host)", addresses: Self.addresses(of: host, isOffline: isOffline))
    }
    if hosts.contains(where: { IPAddress($0.1) == nil && !LocalHost.contains($0.1) }) {
      peers.append(Peer(name: "the name server of /etc/resolv.conf", addresses: Self.nameServers))
    }
  }

  /// True if a file isn't there, and not only out of this user's sight.
  private static func isMissing(_ path: String) -> Bool {
    let folder = (path as NSString).deletingLastPathComponent
    return FileManager.default.isExecutableFile(atPath: folder) && !FileManager.default.fileExists(atPath: path)
  }

  private static func addresses(of host: String, isOffline: Bool) -> [IPAddress] {
    if let address = IPAddress(host) { return [address] }
    guard !isOffline || LocalHost.contains(host) else { return [] }
    let found = (try? ProgramOutput.of("getent", "ahosts", host)) ?? ""
    return found.split(separator: "\n").compactMap { line in
      line.split(separator: " ").first.flatMap { IPAddress(String($0)) }
    }
  }

  private static var nameServers: [IPAddress] {
    let text = (try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      return words.first == "nameserver" && words.count > 1 ? IPAddress(String(words[1])) : nil
    }
  }
}

extension PartnersBaseURL {
  /// The host's name or address, without port and brackets.
  fileprivate var host: String {
    let authority = text.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" }
    if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
    return String(authority.prefix { $0 != ":" })
  }
}
