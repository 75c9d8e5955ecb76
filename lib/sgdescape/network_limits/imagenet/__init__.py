"""ImageNet for chapter `network_limits`: the reader, data-parallel training, and its command.

The second paper's runs as code; nothing here is executed by the book.
"""
