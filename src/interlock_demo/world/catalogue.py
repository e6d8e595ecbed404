"""What Halden & Daughters sells, to whom, and who supplies it: the words and price bands the seed draws from."""

from __future__ import annotations

import msgspec

SHOP_NAME = "Halden & Daughters"


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


class Item(msgspec.Struct, frozen=True):
    """A kind of thing and the range its everyday price lies in, in minor units."""

    name: str
    category: str
    low_minor: int
    high_minor: int


class Maker(msgspec.Struct, frozen=True):
    """A brand: its sku prefix, how dear it is in per mille of the everyday price, and the variants it comes in."""

    prefix: str
    name: str
    level_per_mille: int
    variants: tuple[str, ...]
    supplier_id: str
    flagship: bool = False


ITEMS = (
    Item("Cast-Iron Casserole 4 l", "Kitchen", 89_00, 139_00),
    Item("Chef's Knife 20 cm", "Kitchen", 49_00, 99_00),
    Item("Pour-Over Kettle", "Kitchen", 45_00, 79_00),
    Item("Stoneware Dinner Set for Six", "Kitchen", 99_00, 169_00),
    Item("Burr Coffee Grinder", "Kitchen", 59_00, 129_00),
    Item("Sourdough Proofing Basket", "Kitchen", 14_00, 24_00),
    Item("Linen Tablecloth 260 cm", "Textiles", 39_00, 79_00),
    Item("Washed Linen Duvet Cover", "Textiles", 99_00, 179_00),
    Item("Lambswool Throw", "Textiles", 69_00, 129_00),
    Item("Waffle Bath Towel", "Textiles", 19_00, 34_00),
    Item("Sheepskin Slippers", "Textiles", 39_00, 69_00),
    Item("Reading Lamp", "Lighting", 59_00, 149_00),
    Item("Paper Pendant 60 cm", "Lighting", 35_00, 75_00),
    Item("Rechargeable Table Lantern", "Lighting", 39_00, 89_00),
    Item("Oak Side Table", "Furniture", 119_00, 219_00),
    Item("Folding Balcony Chair", "Furniture", 49_00, 99_00),
    Item("Wall Shelf 90 cm", "Furniture", 45_00, 95_00),
    Item("Entryway Bench", "Furniture", 139_00, 249_00),
    Item("Two-Person Tent", "Outdoors", 149_00, 299_00),
    Item("Down Sleeping Bag", "Outdoors", 129_00, 259_00),
    Item("Vacuum Flask 1 l", "Outdoors", 24_00, 44_00),
    Item("Enamel Camping Mug", "Outdoors", 9_00, 17_00),
    Item("Secateurs", "Garden", 24_00, 54_00),
    Item("Galvanised Watering Can", "Garden", 29_00, 49_00),
)

MAKERS = (
    Maker("AUR", "Aurora", 1_600, ("",), "SUP-01", flagship=True),
    Maker("FJE", "Fjell", 1_150, ("Slate", "Moss", "Sand"), "SUP-02"),
    Maker("MRL", "Marlow", 1_000, ("Ivory", "Charcoal"), "SUP-03"),
    Maker("TES", "Tessel", 900, ("Natural", "Indigo"), "SUP-04"),
    Maker("BRK", "Brook", 750, ("Grey", "Ochre"), "SUP-05"),
)

SUPPLIERS = (
    ("SUP-01", "Aurora Manufaktur", "Flensburg", 21),
    ("SUP-02", "Fjell Utstyr", "Bergen", 14),
    ("SUP-03", "Marlow & Price", "Leeds", 12),
    ("SUP-04", "Tessel Huis", "Utrecht", 7),
    ("SUP-05", "Brook Trading", "Gdańsk", 10),
)

PROMOTIONS = (
    ("PROMO-SPRING", "Spring Table: 15 % off the whole basket", 150),
    ("PROMO-WELCOME", "Welcome back: 10 % off", 100),
    ("PROMO-CIRCLE", "Members' week: 20 % off", 200),
)

FIRST_NAMES = _words(
    "Ana Bram Carla David Elif Femi Greta Hugo Ines Jonas Katya Lars Mira Nadia Oskar Petra Quentin Rosa Samir Tilda "
    "Ulrich Vera Willem Yasmin Zoran"
)
LAST_NAMES = _words(
    "Albrecht Bakker Costa Dahl Eriksen Fischer Garcia Hoffmann Ivanova Jansen Kowalski Lindqvist Moreau Nowak Okafor "
    "Petit Rossi Schneider Tanaka Vargas"
)
CITIES = _words("Hamburg Rotterdam Lisbon Lyon Copenhagen Gdańsk Turin Bergen Ghent Porto Leipzig Malmö")
