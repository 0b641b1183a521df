# stub: rack 2.2.4 ruby lib
