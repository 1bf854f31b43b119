import Conversions

/// The addresses that a unit lets the daemon reach: an address that both lists name is permitted (IPAddressAllow=,
/// systemd.resource-control(5)).
struct UnitAddresses {
  private let permitted: [String]
  private let denied: [String]

  init(_ unit: UnitProperties) { (permitted, denied) = (unit.list("IPAddressAllow"), unit.list("IPAddressDeny")) }

  func permit(_ address: IPAddress) -> Bool {
    let bits = Self.bits(address)
    let isIn = { (network: String) in
      let parts = network.split(separator: "/")
      guard let text = parts.first, let base = IPAddress(String(text)) else { return false }
      let own = Self.bits(base)
      let length = parts.count == 2 ? Int(parts[1]) ?? own.count : own.count
      return own.count == bits.count && own.prefix(length) == bits.prefix(length)
    }
    return permitted.contains(where: isIn) || !denied.contains(where: isIn)
  }

  private static func bits(_ address: IPAddress) -> [Bool] {
    switch address {
    case .v4(let bytes): bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 == 1 } }
    case .v6(let groups): groups.flatMap { group in (0..<16).map { group >> (15 - $0) & 1 == 1 } }
    }
  }
}
