"""A small shop's stock, for trying Midfill: complete the marked place."""

from dataclasses import dataclass


@dataclass
class Item:
    name: str
    price: float
    quantity: int


class Inventory:
    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    def add(self, item: Item) -> None:
        """Add an item, or more of one that is there already."""
        if item.name in self.items:
            self.items[item.name].quantity += item.quantity
        else:
            self.items[item.name] = item

def total_value(inventory: Inventory) -> float:
    """Return what everything in the inventory is worth."""
    

def restock(inventory: Inventory, name: str, quantity: int) -> None:
    """Raise the quantity of one item; unknown names raise KeyError."""
    inventory.items[name].quantity += quantity
