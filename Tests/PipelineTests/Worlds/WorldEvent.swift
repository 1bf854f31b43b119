import Conversions

/// One thing that happens in a world. Referrals and rows go by their numbers.
enum WorldEvent: Sendable, Hashable {
  case refer(WorldReferral)
  /// A friend who clicked leaves an address.
  case register(Int, email: String)
  case patch(Int, external: String?)
  /// Two referrals change their external IDs for one another's.
  case swap(Int, Int)
  /// Another program reports a conversion.
  case convert(Int)
  /// The partner takes another program's conversion back.
  case revert(Int)
  case expire(Int)
  case delete(Int)
  case insert(WorldRow, placedAgo: Duration)
  case edit(row: Int, WorldEdit)
  case remove(row: Int)
  /// A row is deleted and made anew in one transaction.
  case remake(row: Int, as: WorldRow)
  /// The daemon is down for a while, and starts with these rules.
  case restart(WorldRules, down: Duration)
  case act(WorldAct, order: String)
  case search(WorldSearch?)
  /// Nothing: the time around is gone through step by step.
  case watch

  var kind: WorldKinds {
    switch self {
    case .refer, .insert, .watch: []
    case .register: .register
    case .patch: .patch
    case .swap: .swap
    case .convert: .convert
    case .revert: .revert
    case .expire: .expire
    case .delete: .delete
    case .edit: .edit
    case .remove: .remove
    case .remake(let row, let new): row == new.key ? .reuseKey : .remake
    case .restart: .restart
    case .act: .act
    case .search: .search
    }
  }
}

/// The kinds of events that happen beside new referrals and orders.
struct WorldKinds: OptionSet, Sendable, Hashable {
  let rawValue: Int

  static let register = Self(rawValue: 1 << 0)
  static let patch = Self(rawValue: 1 << 1)
  static let swap = Self(rawValue: 1 << 2)
  static let convert = Self(rawValue: 1 << 3)
  static let revert = Self(rawValue: 1 << 4)
  static let expire = Self(rawValue: 1 << 5)
  static let delete = Self(rawValue: 1 << 6)
  static let edit = Self(rawValue: 1 << 7)
  static let remove = Self(rawValue: 1 << 8)
  static let remake = Self(rawValue: 1 << 9)
  static let reuseKey = Self(rawValue: 1 << 10)
  static let restart = Self(rawValue: 1 << 11)
  static let act = Self(rawValue: 1 << 12)
  static let search = Self(rawValue: 1 << 13)
  static let names: [(String, Self)] = [
    ("register", .register), ("patch", .patch), ("swap", .swap), ("convert", .convert), ("revert", .revert),
    ("expire", .expire), ("delete", .delete), ("edit", .edit), ("remove", .remove), ("remake", .remake),
    ("reuseKey", .reuseKey), ("restart", .restart), ("act", .act), ("search", .search),
  ]
  static let all = Self(rawValue: (1 << 14) - 1)

  init(rawValue: Int) { self.rawValue = rawValue }

  /// Kinds by their names with commas between; a minus takes one from all.
  init(words: String) {
    let words = words.split(separator: ",")
    self = words.allSatisfy { $0.hasPrefix("-") } ? .all : []
    for (name, kind) in Self.names {
      if words.contains(Substring(name)) { insert(kind) }
      if words.contains(Substring("-" + name)) { remove(kind) }
    }
  }
}

/// An operator's act on an order.
enum WorldAct: Sendable, Hashable {
  case discard
  case hold
  case release
}

/// The orders on which an operator's act stands.
struct WorldActs: Sendable, Hashable {
  var discarded: Set<String> = []
  var held: Set<String> = []

  mutating func take(_ act: WorldAct, on order: String) {
    discarded.remove(order)
    held.remove(order)
    switch act {
    case .discard: discarded.insert(order)
    case .hold: held.insert(order)
    case .release: break
    }
  }
}

/// A way in which a world's searches fail; those whose omissions could be found by no program are left out.
enum WorldSearch: Sendable, Hashable {
  /// One referral that has held its keys for long, so that the mirror knows it.
  case leavesOut(Int)
  case showsNothing
  case drowns
  case status(Int)
  case slow(Duration)
}

struct WorldReferral: Sendable, Hashable {
  var number: Int
  var age: Duration
  var status = ReferralStatus.pending
  var email: String?
  var external: String?
  var referrer: String

  var id: ReferralID { ReferralID("r\(number)") }
}

struct WorldRow: Sendable, Hashable {
  var key: Int
  var id: String
  var email: String?
  var external: String?
  var cents: Int64
  var qualifies: Bool
  var placed = start

  var order: Order {
    guard let transactionID = TransactionID(id) else { fatalError("no ID") }
    return Order(
      key: OrderKey(String(key)), transactionID: transactionID, email: email.flatMap { EmailAddress($0) },
      externalSourceID: external.flatMap { ExternalSourceID($0) }, total: .amount(String(cents), currency: "EUR"),
      status: "paid", qualifies: qualifies, placedAt: PlacedAt(earliest: placed, latest: placed))
  }
}

enum WorldEdit: Sendable, Hashable {
  case email(String?)
  case external(String?)
  case cents(Int64)
  case qualifies(Bool)

  func apply(to row: inout WorldRow) {
    switch self {
    case .email(let email): row.email = email
    case .external(let external): row.external = external
    case .cents(let cents): row.cents = cents
    case .qualifies(let qualifies): row.qualifies = qualifies
    }
  }
}

struct WorldRules: Sendable, Hashable {
  var keys: [MatchingKey]
  var choose: AttributionRules.Choice
  var window: Duration
  var hold: Duration
  var reviewsSelf: Bool

  var rules: AttributionRules {
    var rules = makeRules(hold: hold, wait: day * 60, choose: choose)
    (rules.keys, rules.attributionWindow, rules.selfReferral) = (keys, window, reviewsSelf ? .review : .report)
    return rules
  }
}
