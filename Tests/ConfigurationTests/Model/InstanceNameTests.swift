import Configuration
import Testing

/// The names of instances, and the files and the unit that each has by its name.
@Suite struct InstanceNameTests {
  @Test(arguments: ["b", "shop2", "shop-2", "eu_shop.b", "2", "_", "Ledger", String(repeating: "x", count: 64)])
  func isTaken(name: String) throws { #expect(try Instance(name: name).name == name) }

  @Test(
    arguments: [
      ("", Instance.NameMistake.characters), (".", .characters), ("..", .characters), (".b", .characters),
      ("-b", .characters), ("a/b", .characters), ("../b", .characters), ("a b", .characters), ("a@b", .characters),
      ("é", .characters), ("b\n", .characters), ("%i", .characters), ("٣", .characters), ("\r\n", .characters),
      (String(repeating: "x", count: 65), .length), ("conversiond", .plain), ("ledger", .plain), ("control", .plain),
    ])
  func isRefused(name: String, mistake: Instance.NameMistake) {
    #expect(throws: mistake) { try Instance(name: name) }
  }

  @Test func thePlainOneHasTheDocumentedPlaces() {
    let plain = Instance.plain
    #expect(plain.configurationFile == "/etc/conversiond/conversiond.yaml")
    #expect(plain.keyFile == "/etc/conversiond/api-key" && plain.ledgerFile == "/var/lib/conversiond/ledger.sqlite")
    #expect(plain.socketName == "control.sock" && plain.unit == "conversiond")
    #expect(Sample.configuration()?.instance == plain)
  }

  @Test func anotherHasPlacesOfItsName() throws {
    let shop = try Instance(name: "shop2")
    #expect(shop.configurationFile == "/etc/conversiond/shop2.yaml")
    #expect(shop.keyFile == "/etc/conversiond/shop2.api-key" && shop.ledgerFile == "/var/lib/conversiond/shop2.sqlite")
    #expect(shop.socketName == "shop2.sock" && shop.unit == "conversiond@shop2")
  }

  @Test func theNameGivesDefaultsAndTheFileComesBefore() throws {
    func read(_ rest: String) throws -> Configuration {
      try ConfigurationReader.read(text: Sample.orders + rest, name: "c", instance: Instance(name: "b")).get()
        .configuration
    }
    let preset = try read("")
    #expect(preset.ledger.location == .sqlite(path: "/var/lib/conversiond/b.sqlite") && preset.instance.name == "b")
    #expect(preset.api.keyFile == "/etc/conversiond/b.api-key")
    let given = try read("ledger: {location: 'sqlite:/srv/l.sqlite'}\napi: {key_file: /srv/key}\n")
    #expect(given.ledger.location == .sqlite(path: "/srv/l.sqlite") && given.api.keyFile == "/srv/key")
  }
}
